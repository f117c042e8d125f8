import Foundation
import TestSupport
import Testing

/// The page in a real browser: Debian's chromium, headless. Skipped, and said so, where there is none.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BrowserTests {
  private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(arguments: [390, 1400])
  func `a browser finds every section, without an error, a request or a line that is too wide`(width: Int) throws {
    guard let browser = Self.browser else {
      print("NOTE: no chromium: the report is opened in no browser")
      return
    }
    let bench = try ReportBench().train()
    _ = try bench.page()
    // Its windows are never as narrow as a telephone, so the page is in a frame, and a script outside looks at it.
    try bench.folder.write(
      """
      <!DOCTYPE html><body><iframe src="page.html" style="width:\(width)px;height:900px;border:0"></iframe><pre></pre><script>
      const frame = document.querySelector('iframe');
      frame.onload = () => {
        const page = frame.contentDocument;
        const range = page.querySelector('.stepper input');
        range.value = 0;
        range.dispatchEvent(new Event('input'));
        const stages = [...page.querySelectorAll('.stage')];
        document.querySelector('pre').textContent = JSON.stringify({
          headings: [...page.querySelectorAll('h2')].map(h => h.textContent),
          overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
          width: page.documentElement.clientWidth,
          requests: frame.contentWindow.performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:')),
          stages: stages.filter(s => !s.hidden && s.querySelector('.to').src === s.querySelector('.from').src).length,
          broken: [...page.images].filter(i => i.getAttribute('src') && i.complete && !i.naturalWidth).length,
        });
      };
      </script></body>
      """, to: "frame.html")
    let outcome = try Program.run(
      executable: browser,
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--user-data-dir=\(bench.folder.path("profile"))", "--allow-file-access-from-files", "--window-size=1500,1000",
        "--virtual-time-budget=4000", "--enable-logging=stderr", "--dump-dom",
        "file://\(bench.folder.path("frame.html"))",
      ], timeLimit: 60)
    #expect(outcome.status == 0)
    let errors = outcome.standardError.split(separator: "\n").filter { $0.contains("CONSOLE") }
    #expect(errors.isEmpty, "\(errors)")

    let found = try #require(outcome.standardOutput.firstMatch(of: /<pre>(\{.*\})<\/pre>/), "\(outcome.standardError)")
    let json = String(found.1).replacing("&amp;", with: "&")
    let facts = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(
      facts["headings"] as? [String] == [
        "In short", "Accuracy and loss", "Refinement", "Pictures", "Confusion", "Calibration", "Time", "Configuration",
      ])
    #expect(facts["overflow"] as? Int == 0 && abs((facts["width"] as? Int ?? 0) - width) <= 20)
    #expect((facts["requests"] as? [String])?.isEmpty == true && facts["broken"] as? Int == 0)
    // At x_0 the picture that moves is the one it came from.
    #expect(facts["stages"] as? Int == 12)
  }
}
