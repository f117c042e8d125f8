import Configuration
import Foundation
import TestSupport
import Testing

/// `base: FILE` of a configuration.
@Suite struct ConfigurationBaseTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func load(_ name: String, _ overrides: [String] = []) throws -> RunConfiguration {
    try RunConfiguration.load(path: folder.path(name), overrides: overrides)
  }

  private func refusal(_ name: String) -> String? {
    do throws(ConfigurationError) {
      _ = try RunConfiguration.load(path: folder.path(name))
      return nil
    } catch { return error.description.replacing(folder.path + "/", with: "") }
  }

  @Test func `a file stands over its base, from the file's own folder, and a run's configuration stands alone`() throws
  {
    try folder.write("icp: {steps: 3}\ntraining: {epochs: 2, seed: 5}\n", to: "common/first.yaml")
    try folder.write("training: {epochs: 4}\nbase: first.yaml\n", to: "common/second.yaml")
    try folder.write("base: common/second.yaml\nmodel: {kind: resnet8}\n", to: "mine.yaml")
    let configuration = try load("mine.yaml", ["training.seed=6"])
    #expect(configuration.icp.steps == 3 && configuration.training.epochs == 4 && configuration.training.seed == 6)
    #expect(configuration.model.kind == .resnet8)
    #expect(!configuration.resolvedYAML.contains("base:"))
    #expect(try RunConfiguration(yaml: configuration.resolvedYAML, name: "alone") == configuration)
  }

  @Test func `circles, missing files and what a base says wrong are told with their place`() throws {
    try folder.write("training: {epochs: 2}\nbase: b.yaml\n", to: "a.yaml")
    try folder.write("base: ./a.yaml\n", to: "b.yaml")
    #expect(refusal("a.yaml") == "b.yaml:1:7: 'base' goes in a circle: a.yaml > b.yaml > ./a.yaml")
    try folder.write("base: none.yaml\n", to: "c.yaml")
    #expect(refusal("c.yaml")?.hasPrefix("none.yaml: cannot be read") == true)
    try folder.write("icp: {steps: -1}\n", to: "wrong.yaml")
    try folder.write("base: wrong.yaml\n", to: "d.yaml")
    #expect(refusal("d.yaml") == "wrong.yaml:1:14: key 'icp.steps': expected an integer >= 0, got -1")
    try folder.write("base: [wrong.yaml]\n", to: "e.yaml")
    #expect(refusal("e.yaml") == "e.yaml:1:7: key 'base': expected a configuration file, got [wrong.yaml]")
  }
}
