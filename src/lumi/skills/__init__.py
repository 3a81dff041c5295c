"""What Lumi can do with no model behind it, in Chinese and English."""
