"""One function for each thing that promfill does: typed settings in, a report out."""
