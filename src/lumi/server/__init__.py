"""Sessions and their turns behind one port."""
