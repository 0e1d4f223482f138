"""minute.csv, fills.csv and daily.csv of the bots: read with all their irregularities, told with all of them."""
