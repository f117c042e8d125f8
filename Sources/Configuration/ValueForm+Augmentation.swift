import Datasets
import Images
import Yams

/// Random changes of training images: names, or names with parameters in braces.
extension ValueForm where Value == Augmentation {
  static var augmentation: ValueForm {
    ValueForm(
      alternatives: ImageTransforms.all.map { $0.name }, read: { try? AugmentationNode($0).value.get() },
      write: { AugmentationNode.text($0) },
      reason: { node in
        if case .failure(let problem) = AugmentationNode(node).value { problem.text } else { nil }
      })
  }
}

extension ValueForm where Value == [Augmentation] {
  static var augmentations: ValueForm {
    list(of: .augmentation, ", none twice") { Set($0.map(\.name)).count == $0.count }
  }
}

extension ValueForm where Value == Int {
  static var channels: ValueForm { .word("1", 1).or(.word("3", 3)) }
}

/// `flip`, `rand-augment: {n: 2, m: 9}`, or `random-erasing: 0.25` for the first parameter.
struct AugmentationNode {
  struct Problem: Error { let text: String }

  let value: Result<Augmentation, Problem>

  init(_ node: Node) {
    value = Result { () throws(Problem) in try Self.read(node) }
  }

  private static func read(_ node: Node) throws(Problem) -> Augmentation {
    let pair = node.mapping.flatMap { $0.count == 1 ? $0.first.map { ($0.key, $0.value) } : nil }
    guard let name = node.text ?? pair?.0.text else {
      throw Problem(text: "write a name, or one name and its parameters: rand-augment: {n: 2, m: 9}")
    }
    guard let type = ImageTransforms.named(name) else {
      throw Problem(text: "there is no \(YAMLText.shown(name, limit: 40))")
    }
    guard let given = pair?.1 else { return Augmentation(name)! }
    var values: [String: [Double]] = [:]
    for (key, value) in try parameters(given, of: type) {
      guard let parameter = type.parameters.first(where: { $0.name == key }) else {
        let known = type.parameters.map(\.name).joined(separator: ", ")
        throw Problem(
          text: "\(name) has no parameter \(YAMLText.shown(key, limit: 40))"
            + (known.isEmpty ? "" : "; it has \(known)"))
      }
      let numbers = value.sequence.map { $0.compactMap(\.number) } ?? value.number.map { [$0] } ?? []
      guard numbers.count == value.sequence?.count ?? 1, parameter.allows(numbers) else {
        throw Problem(text: "'\(key)' of \(name): expected \(parameter.expected)")
      }
      values[key] = numbers
    }
    return Augmentation(name, values)!
  }

  /// What stands after the colon: parameters by name, or the first one's value.
  private static func parameters(
    _ node: Node, of type: any ImageTransform.Type
  ) throws(Problem) -> [(String, Node)] {
    if let mapping = node.mapping { return mapping.map { ($0.key.text ?? $0.key.shown, $0.value) } }
    guard let first = type.parameters.first else { throw Problem(text: "\(type.name) has no parameters") }
    return [(first.name, node)]
  }

  /// The name alone where parameters are what they are without being said.
  static func text(_ augmentation: Augmentation) -> String {
    let parameters = ImageTransforms.named(augmentation.name)!.parameters
    guard augmentation.values != parameters.map(\.fallback) else { return augmentation.name }
    let values = zip(parameters, augmentation.values).map { parameter, values in
      let numbers = values.map(YAMLText.number).joined(separator: ", ")
      return "\(parameter.name): \(values.count == 1 ? numbers : "[\(numbers)]")"
    }
    return "{\(augmentation.name): {\(values.joined(separator: ", "))}}"
  }
}
