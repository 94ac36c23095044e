"""Stand-ins that speak the vendors' wire protocols on loopback; they import none of our packages."""
