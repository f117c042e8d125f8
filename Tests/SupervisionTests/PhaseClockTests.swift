import Runtime
import Supervision
import Testing

@Suite struct PhaseClockTests {
  @Test func `phases of a step add up to the step, and the next step starts at nothing`() {
    let clock = PhaseClock()
    for step in 1...2 {
      clock.begin(step: step)
      for phase in Phase.ofStep { clock.enter(phase) }
      clock.enter(.records)
      #expect(clock.step == step && clock.phase == .records)
      #expect(Phase.ofStep.allSatisfy { clock[$0] >= 0 })
      #expect(clock.stepSeconds == Phase.ofStep.reduce(0) { $0 + clock[$1] })
      #expect(clock.stepSeconds < 1)
    }
  }
}
