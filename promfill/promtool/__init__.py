"""Code that produces the same output as promtool."""
