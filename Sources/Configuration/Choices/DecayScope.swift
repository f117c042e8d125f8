/// What weight decay acts on: every parameter, or only weights of convolutions and dense layers.
package enum DecayScope: String, CaseIterable, Sendable {
  case all, matrices
}
