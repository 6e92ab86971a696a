"""The chapters of the store contract; `contract.StoreContract` is all of them."""
