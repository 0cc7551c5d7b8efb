"""What a message about an incident says, and which follows the last one."""
