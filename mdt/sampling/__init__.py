"""What `mdt sample` is made of: settings, labels, processes that share, drawing, outputs."""
