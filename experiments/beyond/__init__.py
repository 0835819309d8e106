"""What neither paper has: the corrections they ask for, and predictions of their own."""
