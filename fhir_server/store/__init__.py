"""Where resources are kept: `protocol` says what a store is, each subpackage is one."""
