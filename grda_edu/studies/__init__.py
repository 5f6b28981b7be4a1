"""What makes the recordings that ship: ``grda-edu record`` trains and measures all of it again."""
