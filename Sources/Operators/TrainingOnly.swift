import Graph

/// An operator that in evaluation mode hands on its input: dropout.
package protocol TrainingOnly: Operator {}
