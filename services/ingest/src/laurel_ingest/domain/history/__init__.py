"""History as GitHub's GraphQL tells it: pure rules of what is fetched and what it says."""
