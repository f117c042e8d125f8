import Commands
import FaultInjection

// icp with a fault on purpose (docs/RELIABILITY.md): every argument is icp's, but for --fault RANK:STEP[.PHASE]:KIND.
// A test may ask for the memory that it took.
var arguments = Array(CommandLine.arguments.dropFirst())
MemoryPeak.tellAtExit()
do {
  if let fault = try Fault.take(from: &arguments) { FaultInjector.install(fault) }
} catch {
  ICP.end(with: error)
}
ICP.main(arguments: arguments)
