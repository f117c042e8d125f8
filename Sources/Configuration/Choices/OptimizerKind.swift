/// The optimisers: AdamW decays decoupled (Loshchilov and Hutter 2019), SGD coupled, as PyTorch's two.
package enum OptimizerKind: String, CaseIterable, Sendable {
  case adamw, sgd
}
