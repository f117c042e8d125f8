import Runtime
import TestSupport
import Testing

@Suite struct ControlGroupTests {
  @Test func `lists of cores are read as the kernel writes them`() {
    #expect(ControlGroup.numbers("0-2,5") == [0, 1, 2, 5])
    #expect(ControlGroup.numbers("7") == [7])
    #expect(ControlGroup.numbers("") == [] && ControlGroup.numbers("3-1") == [])
  }

  @Test func `limits of both versions of control groups count, those of the groups around too`() throws {
    let second = try TemporaryDirectory()
    try second.write("max 100000\n", to: "job/rank/cpu.max")
    try second.write("250000 100000\n", to: "job/cpu.max")
    try second.write("1000\n", to: "job/memory.max")
    try second.write("700\n", to: "job/memory.current")
    try second.write("anon 1\ninactive_file 200\n", to: "job/memory.stat")
    try second.write("100\n", to: "job/pids.max")
    try second.write("30\n", to: "job/pids.current")
    try second.write("0-1,4\n", to: "job/cpuset.cpus.effective")
    let new = ControlGroup(root: second.path, membership: "0::/job/rank\n")
    #expect(new.cores == 2.5 && new.memoryAvailable == 500 && new.processesAvailable == 70)
    #expect(new.coreNumbers == [0, 1, 4])

    // A container's own group is the root of what it sees, whatever its name outside.
    let first = try TemporaryDirectory()
    try first.write("150000\n", to: "cpu/cpu.cfs_quota_us")
    try first.write("100000\n", to: "cpu/cpu.cfs_period_us")
    try first.write("9223372036854771712\n", to: "memory/memory.limit_in_bytes")
    try first.write("700\n", to: "memory/memory.usage_in_bytes")
    let old = ControlGroup(root: first.path, membership: "4:memory:/docker/12ab\n2:cpu,cpuacct:/docker/12ab\n")
    #expect(old.memoryLimit == nil && new.memoryLimit == 1000)
    #expect(old.cores == 1.5 && old.memoryAvailable == nil && old.processesAvailable == nil && old.coreNumbers == nil)
  }
}
