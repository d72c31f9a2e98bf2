"""The review pages in the browser and the place where pages and API are mounted."""
