//! The deployment document: sites, pools, computers, SQL stores, Edge pools, users and DNS zones.
