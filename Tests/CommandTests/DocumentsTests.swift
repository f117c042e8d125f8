import Commands
import Foundation
import TestSupport
import Testing

/// What documents tell people to type.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DocumentsTests {
  static let names =
    ["README.md", "CONTRIBUTING.md"]
    + ((try? FileManager.default.contentsOfDirectory(atPath: "\(PackageRoot.path)/docs")) ?? [])
    .filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }

  @Test(arguments: names) func `every icp command is one that icp takes`(name: String) throws {
    for command in try Document(name).commands {
      var words = command.words
      // Under mpirun it is a word further on; what follows it is icp's.
      guard let first = words.firstIndex(where: ["icp", ".build/release/icp"].contains) else { continue }
      words = Array(words[(first + 1)...])
      // Answered by the parser itself, as --help is.
      if words.first == "--generate-completion-script" { continue }
      #expect(throws: Never.self, "\(name): \(command.text)") { _ = try ICP.parseAsRoot(words) }
    }
  }

  @Test(arguments: names) func `every link leads to a file`(name: String) throws {
    let document = try Document(name)
    for link in document.links {
      let place = URL(filePath: "\(PackageRoot.path)/\(name)").deletingLastPathComponent().appending(path: link)
      #expect(FileManager.default.fileExists(atPath: place.path), "\(name) links to \(link)")
    }
  }

  /// Whole, in order, in a folder where the reader's pictures are.
  @Test(.ranks) func `the tutorial's commands end with 0, each in its turn`() throws {
    let folder = try TemporaryDirectory()
    try PictureFolders.write(["cat", "dog"], counts: (16, 8), width: 40, height: 48, to: folder.path("pictures"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("launch"), withDestinationPath: "\(PackageRoot.path)/launch")
    let document = try Document("docs/TUTORIAL.md")
    for (name, text) in document.files { try folder.write(text, to: name) }
    let commands = document.commands.filter(\.isToRun)
    #expect(commands.count > 8)
    for command in commands {
      let outcome = try Program.run(
        executable: "bash", ["-c", command.text],
        environment: [
          "PATH": "\(PackageRoot.path)/.build/release:\(ProcessInfo.processInfo.environment["PATH"] ?? "")",
          "ICP_PROGRAM": Program.icp, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        ], timeLimit: 120, workingDirectory: folder.path)
      #expect(outcome.status == 0, "\(command.text)\n\(outcome.standardOutput)\n\(outcome.standardError)")
    }
    for made in [
      "sheet.png", "icp.html", "both.html", "mine.onnx", "studies/mine/results.md", "studies/mine/report.html",
    ] {
      #expect(FileManager.default.fileExists(atPath: folder.path(made)), "\(made) was not made")
    }
  }
}

/// A page, as far as somebody types what it says.
private struct Document {
  struct Command {
    let text: String
    /// In a block of `sh`, which is to be run as it stands; others have names to fill in, or show what is printed.
    let isToRun: Bool

    /// Without quotes, comments, and what a shell would take for itself.
    var words: [String] {
      var words: [String] = []
      var word = ""
      var quote: Character?
      for character in text + " " {
        if character == quote {
          quote = nil
        } else if quote == nil, character == "'" || character == "\"" {
          quote = character
        } else if quote == nil, character == " " {
          if word.hasPrefix("#") || [">", "|", "&&", ";"].contains(word) { break }
          if !word.isEmpty { words.append(word) }
          word = ""
        } else {
          word.append(character)
        }
      }
      return words
    }
  }

  private(set) var commands: [Command] = []
  private(set) var links: [String] = []
  /// Those shown after a comment `file: NAME`.
  private(set) var files: [String: String] = [:]

  init(_ name: String) throws {
    let text = try String(contentsOfFile: "\(PackageRoot.path)/\(name)", encoding: .utf8)
    var block: String?
    var file: String?
    let lines = text.replacing("\\\n", with: " ").split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines.map(String.init) {
      let bare = line.trimmingCharacters(in: .whitespaces)
      if bare.hasPrefix("```") {
        block = block == nil ? String(bare.dropFirst(3)) : nil
        if block == nil { file = nil }
      } else if let block {
        if let file { files[file, default: ""] += line + "\n" }
        let command = bare.hasPrefix("$ ") ? String(bare.dropFirst(2)) : bare
        let starts = ["icp ", ".build/release/icp ", "mpirun ", "launch/train"]
        let isPrinted = command.hasPrefix("icp 0.")  // the greeting, not a command
        if starts.contains(where: command.hasPrefix), !isPrinted, !command.contains("..."), !command.contains("[") {
          commands.append(Command(text: command, isToRun: block == "sh"))
        }
      } else if bare.hasPrefix("<!-- file: ") {
        file = bare.dropFirst("<!-- file: ".count).split(separator: " ").first.map(String.init)
      } else {
        links += line.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/).map { String($0.1) }
      }
    }
  }
}
