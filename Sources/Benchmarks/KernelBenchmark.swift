import Configuration
import Graph
import Kernels
import MPI
import Planning
import Reduction
import Reporting
import Runtime

/// What `icp bench kernels` does: every convolution of a configuration's network, alone, by each implementation.
package struct KernelBenchmark {
  private let configuration: RunConfiguration
  private let batch: Int
  private let options: RepeatOptions
  private let communicator: Communicator

  package init(configuration: RunConfiguration, batch: Int, options: RepeatOptions, communicator: Communicator) {
    self.configuration = configuration
    self.batch = batch
    self.options = options
    self.communicator = communicator
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same report on every rank.
  package func run() throws -> KernelBenchmarkReport {
    let layers = try communicator.collectively {
      // Of the plan only the network counts, which knows nothing of shards and ranks.
      let layers = try RunPlan(synthetic: configuration, ranks: 1).network.convolutionLayers
      guard !layers.isEmpty else {
        throw UsageError("\(configuration.model.kind.rawValue) has no convolutions to measure")
      }
      try checkMemory(layers)
      return layers
    }
    try communicator.agreeOnBenchmark(configuration)
    var rates: [KernelBenchmarkReport.Rate] = []
    for backend in ConvolutionBackend.allCases {
      let timer = ConvolutionTimer(layers, batch: batch, backend: backend, options: options)
      for (index, layer) in layers.enumerated() {
        for pass in ConvolutionPass.allCases {
          // Together, since ranks share caches and memory.
          try communicator.barrier()
          let seconds = timer.seconds(layer.geometry, batch: batch, pass)
          rates.append(
            .init(
              layer: index, backend: backend, pass: pass, seconds: try communicator.largest(seconds: [seconds])[0]))
        }
      }
    }
    return KernelBenchmarkReport(
      configuration: configuration, layers: layers, batch: batch, ranks: communicator.size, options: options,
      rates: rates)
  }

  private func checkMemory(_ layers: [ConvolutionLayer]) throws {
    let needed = ConvolutionTimer.bytes(layers, batch: batch)
    guard let total = HostMemory.total, needed * Double(communicator.size) > Double(total) / 2 else { return }
    throw UsageError(
      "--batch \(batch) needs about \(Int((needed / 0x1p30).rounded(.up))) GiB a rank, and the host has "
        + "\(total >> 30); lower it")
  }
}
