"""The client SDK: connection, handshake, conversation."""
