/// A command line or a launch that parses and still cannot be meant.
package struct UsageError: ExitCoded, CustomStringConvertible {
  package let description: String
  package let exitCode = ExitCode.usage
  package init(_ description: String) { self.description = description }
}
