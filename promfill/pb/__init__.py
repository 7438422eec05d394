"""Protobuf classes, generated from `proto/` by `make proto`: not edited by hand."""

import warnings

# protobuf 6 warns of code made by 5.29's generator, which 7 takes in silence. Newer generators' code would ask every
# user for the newest protobuf.
warnings.filterwarnings("ignore", r"Protobuf gencode version .* at promfill/pb/", UserWarning)
