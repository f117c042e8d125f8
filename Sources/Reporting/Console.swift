import Glibc
import Synchronization

/// What a run prints: a progress bar on a terminal, plain lines elsewhere.
///
/// When the reader goes away (`icp train ... | head -1`) the run goes on in silence: its records are in files.
package final class Console: Sendable {
  private struct State {
    var isOpen = true
    var barIsShown = false
    var first: (step: Int, time: ContinuousClock.Instant)?
    var lastDrawn: ContinuousClock.Instant?
  }

  private let output: Int32
  private let isTerminal: Bool
  private let every: Int
  private let state = Mutex(State())
  /// Ten times a second is as fast as anyone reads.
  private let interval = Duration.milliseconds(100)
  private static let clearLine = "\r\u{1B}[K"

  /// - Parameters:
  ///   - output: a file descriptor, standard output unless a test says otherwise.
  ///   - every: without a terminal, steps between two lines.
  ///   - isTerminal: nil finds out.
  package init(output: Int32 = STDOUT_FILENO, every: Int, isTerminal: Bool? = nil) {
    precondition(every > 0, "lines every \(every) steps")
    signal(SIGPIPE, SIG_IGN)
    self.output = output
    self.every = every
    self.isTerminal = isTerminal ?? Terminal.isAttached(to: output)
  }

  /// Prints nothing.
  package static var silent: Console {
    let console = Console(every: 1, isTerminal: false)
    console.state.withLock { $0.isOpen = false }
    return console
  }

  /// Shows how far the run is, if it is time to. Called after every step.
  package func show(_ progress: RunProgress) {
    state.withLock { state in
      let now = ContinuousClock.now
      let first = state.first ?? (progress.step, now)
      state.first = first
      let isLast = progress.step >= progress.steps
      if isTerminal {
        if let last = state.lastDrawn, now - last < interval, !isLast { return }
      } else if progress.step % every != 0, !isLast {
        return
      }
      state.lastDrawn = now
      let pace = secondsAStep(progress, since: first, now: now)
      if isTerminal {
        let bar = progress.bar(secondsAStep: pace, width: Terminal.width(of: output))
        print(Self.clearLine + bar, &state)
        state.barIsShown = true
      } else {
        print(progress.line(secondsAStep: pace) + "\n", &state)
      }
    }
  }

  /// Prints a line, above the bar if one is shown.
  package func line(_ text: String) {
    state.withLock { state in
      clearBar(&state)
      print(text + "\n", &state)
    }
  }

  /// Leaves the bar as it stands and goes to the next line.
  package func finish() {
    state.withLock { state in
      if state.barIsShown { print("\n", &state) }
      state.barIsShown = false
    }
  }

  /// Runs `body`, which writes to the terminal by another descriptor, without the bar in its way.
  func withoutBar(_ body: () -> Void) {
    state.withLock { state in
      clearBar(&state)
      body()
    }
  }

  /// The bar comes back with the next step, even within the interval.
  private func clearBar(_ state: inout State) {
    guard state.barIsShown else { return }
    print(Self.clearLine, &state)
    state.barIsShown = false
    state.lastDrawn = nil
  }

  private func print(_ text: String, _ state: inout State) {
    if state.isOpen { state.isOpen = write(text, to: output) }
  }

  /// Since this start, with what lies between steps; nil until there is one.
  private func secondsAStep(
    _ progress: RunProgress, since first: (step: Int, time: ContinuousClock.Instant),
    now: ContinuousClock.Instant
  ) -> Double? {
    let done = progress.step - first.step
    guard done > 0 else { return nil }
    return (now - first.time) / .seconds(1) / Double(done)
  }
}
