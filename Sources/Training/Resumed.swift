import Checkpointing
import Formats
import MPI

/// A checkpoint that a run goes on from, at its start or after a rollback: the same on every rank.
struct Resumed {
  var state: TrainingState
  var metadata: [String: String]
  var path: String

  /// Rank 0's `find` names the checkpoint, or nil where there is none; rank 0 alone reads it, and all get its bytes.
  static func load(_ communicator: Communicator, find: () throws -> String?) throws -> Resumed? {
    let found: (bytes: [UInt8], path: String) = try communicator.collectively {
      guard communicator.rank == 0, let path = try find() else { return ([], "") }
      return (Array(try SafetensorsFile(path: path).contents), path)
    }
    let bytes = try communicator.broadcast(found.bytes, from: 0)
    let path = String(decoding: try communicator.broadcast(Array(found.path.utf8), from: 0), as: UTF8.self)
    guard !bytes.isEmpty else { return nil }
    // Checks the checksums, also of what came over the wire.
    return try communicator.collectively {
      let snapshot = try CheckpointStore.decode(bytes: bytes, path: path)
      return Resumed(state: try TrainingState(snapshot, path: path), metadata: snapshot.metadata, path: path)
    }
  }
}
