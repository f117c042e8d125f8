/// The files and folders that a configuration names to be read: each key with its value.
extension RunConfiguration {
  package var dataPlaces: [(name: String, path: String)] {
    named([
      ("data.path", data.path), ("data.validation_path", data.validationPath), ("data.test_path", data.testPath),
      ("data.label_noise.file", data.labelNoise.file), ("evaluation.cifar_c", evaluation.cifarC),
    ])
  }

  package var modelPlaces: [(name: String, path: String)] {
    named([("model.path", model.path), ("model.weights", model.weights)])
  }

  private func named(_ places: [(String, String?)]) -> [(name: String, path: String)] {
    places.compactMap { name, path in path.map { (name, $0) } }
  }
}
