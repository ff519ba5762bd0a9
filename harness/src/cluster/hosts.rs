//! Hosts that are there already: `--nodes n1,n2`, `--nodes-file F`.
