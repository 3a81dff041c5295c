"""What must outlive a connection or a process: one small seam each; bytes and records of its own, no wire types."""
