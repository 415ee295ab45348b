'x'.PadLeft(2147483647)
