import Files
import Foundation
import TestSupport
import Testing

@Suite struct OwnedFolderTests {
  private func refusal(_ folder: TemporaryDirectory, isOurs: Bool) -> String? {
    do {
      try OwnedFolder(folder.path, option: "--run-dir", files: ["a.txt"], folders: ["sub"]).check("a run directory") {
        isOurs
      }
      return nil
    } catch {
      #expect(error.exitCode == 64)
      return error.reason
    }
  }

  @Test func `a folder that is missing, empty, or holds other names is taken`() throws {
    let folder = try TemporaryDirectory()
    #expect(refusal(folder, isOurs: false) == nil)
    try folder.write("", to: "train.log")
    #expect(refusal(folder, isOurs: false) == nil)
  }

  @Test(arguments: ["a.txt", "sub/x"]) func `a name that is taken needs a folder of ours`(name: String) throws {
    let folder = try TemporaryDirectory()
    try folder.write("", to: name)
    #expect(refusal(folder, isOurs: false)?.contains("and is not a run directory of this program") == true)
    #expect(refusal(folder, isOurs: true) == nil)
  }

  @Test func `links and pipes in the place of our names are refused in a folder of ours too`() throws {
    for name in ["a.txt", "sub"] {
      let folder = try TemporaryDirectory()
      symlink("/tmp", folder.path(name))
      #expect(refusal(folder, isOurs: true)?.hasPrefix("is a symbolic link, where a run directory has ") == true)
      unlink(folder.path(name))
      mkfifo(folder.path(name), 0o600)
      #expect(refusal(folder, isOurs: true)?.hasPrefix("is a FIFO") == true)
    }
  }

  @Test func `of two that make a new directory one gets it`() throws {
    let folder = try TemporaryDirectory()
    let system = System()
    #expect(try system.makeNewDirectory(folder.path("x/y")))
    #expect(try !system.makeNewDirectory(folder.path("x/y")))
  }
}
