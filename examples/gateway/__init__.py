"""A gateway: GitHub sign-in, the App's installation, webhooks and boards over HTTP."""
