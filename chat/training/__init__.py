"""Training sets, from what may train now to what a run must leave out. docs/training.md tells the whole of it.

`snapshot` writes down what is eligible; `chunks` has it read, asked again and filtered, a chunk at a time; `sealing`
asks once more under the locks of the house and closes the set; `checking` says to every run what to drop from it.
"""
