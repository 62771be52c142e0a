"""What goes out by mail: the words (rendering) and the wire (smtp). When and to whom is decided elsewhere."""
