"""Links: what a URL says, which rules its site has, and which address it only wraps."""
