"""What is kept between runs as notes of the store: people's names, served periods, whether degraded mode is on."""
