import Reporting

/// Records and names of runs hold times; nothing that a run computes does.
package enum ClockCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let early = job.hosts.min { $0.first.clock < $1.first.clock }!
    let late = job.hosts.max { $0.first.clock < $1.first.clock }!
    let difference = late.first.clock - early.first.clock
    guard difference > 2 else { return [] }
    return [
      .note(
        "clocks",
        "\(late.name)'s is \(decimal(difference, places: 1)) s ahead of \(early.name)'s: times in records and messages will not "
          + "match (results do not depend on them)")
    ]
  }
}
