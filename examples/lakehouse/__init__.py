"""Orders of a simulated shop: change data capture into a lakehouse, and a model of delivery times that is monitored."""
