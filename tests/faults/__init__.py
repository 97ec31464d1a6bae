"""What survives when a process is killed: acknowledged is kept, a retry is one deed."""
