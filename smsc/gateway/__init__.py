"""The gateway as a whole, one noun a file; `smsc.app` puts them together and runs them."""
