import Execution
import Files
import Formats
import Foundation
import Graph
import Kernels
import Models

// What an ONNX file's network computes, for launch/test-networks to compare with PyTorch.
//
//   network-probe MODEL.onnx INPUT.safetensors OUTPUT.safetensors
//
// INPUT holds x (N, C, H, W) and the gradient of some objective at the logits, seed (N, classes). OUTPUT receives, in
// evaluation mode, eval.logits and eval.dx (N, C, H, W); in training mode, without dropout, train.logits,
// train.grad.PARAMETER and train.after.STATISTIC.

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
  print("usage: network-probe MODEL.onnx INPUT.safetensors OUTPUT.safetensors")
  exit(64)
}

/// (N, C, H, W) with the channels last, or back.
func permuted(_ values: [Float], _ size: [Int], toChannelsLast: Bool) -> [Float] {
  let positions = size[2] * size[3]
  var result = values
  for sample in 0..<size[0] {
    for channel in 0..<size[1] {
      for position in 0..<positions {
        let last = (sample * positions + position) * size[1] + channel
        let first = (sample * size[1] + channel) * positions + position
        if toChannelsLast { result[last] = values[first] } else { result[first] = values[last] }
      }
    }
  }
  return result
}

func probe() throws {
  KernelLibrary.setThreads(1)
  let file = try GraphFile(path: arguments[1])
  let network = file.network
  let input = try SafetensorsFile(path: arguments[2])
  let size = input["x"]?.shape ?? []
  guard size.count == 4, Array(size.dropFirst()) == network.input.extents,
    input["seed"]?.shape == [size[0], network.classes]
  else {
    throw FileError(
      path: arguments[2], reason: "expected x (N, \(network.input)) and seed (N, \(network.classes)), got x of \(size)")
  }
  let images = permuted(try input.floats("x"), size, toChannelsLast: true)
  let seed = try input.floats("seed")
  let layout = ParameterLayout(network)
  let parameters = Tensor(count: layout.parameterCount)
  let statistics = Tensor(count: layout.statisticCount)
  file.load(layout, parameters: parameters.pointer, statistics: statistics.pointer)

  var results: [NamedTensor] = []
  let frozen = FrozenNetwork(
    network, layout: layout, backend: .onednn, differentiable: true, capacity: size[0], scratch: Scratch())
  frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
  var logits: [Float] = []
  var dx: [Float] = []
  for first in stride(from: 0, to: size[0], by: frozen.pieceSize) {
    let count = min(frozen.pieceSize, size[0] - first)
    let gradient = images.withUnsafeBufferPointer { images in
      frozen.inputGradient(images.baseAddress! + first * network.input.count, samples: count) { ours, gradient in
        logits += UnsafeBufferPointer(start: ours, count: count * network.classes)
        for index in 0..<count * network.classes { gradient[index] = seed[first * network.classes + index] }
      }
    }
    dx += UnsafeBufferPointer(start: gradient, count: count * network.input.count)
  }
  results.append(NamedTensor("eval.logits", shape: [size[0], network.classes], floats: logits))
  results.append(NamedTensor("eval.dx", shape: size, floats: permuted(dx, size, toChannelsLast: false)))

  let kernels = TrainingKernels(network, layout: layout, taps: [], backend: .onednn, scratch: Scratch())
  kernels.load(parameters.pointer)
  let training = TrainingNetwork(kernels, taps: [], capacity: size[0], differentiable: true)
  let pass = training.forward(
    images, samples: size[0], parameters: parameters.pointer, statistics: .batch(moving: statistics.pointer))
  results.append(
    NamedTensor(
      "train.logits", shape: [size[0], network.classes],
      floats: Array(UnsafeBufferPointer(start: pass.logits, count: seed.count))))
  pass.logitsGradient.update(from: seed, count: seed.count)
  let gradients = Tensor(count: layout.parameterCount)
  pass.backward(images, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
  for entry in layout.parameters {
    results.append(
      NamedTensor("train.grad.\(entry.name)", shape: entry.shape, floats: Array(gradients.values[entry.range])))
  }
  for entry in layout.statistics {
    results.append(
      NamedTensor("train.after.\(entry.name)", shape: entry.shape, floats: Array(statistics.values[entry.range])))
  }
  try Data(SafetensorsWriter.encode(tensors: results)).write(to: URL(fileURLWithPath: arguments[3]))
}

do {
  try probe()
} catch {
  FileHandle.standardError.write(Data("network-probe: \(error)\n".utf8))
  exit(65)
}
