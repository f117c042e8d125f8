/// Who hears which phase a rank enters. The method marks its phases and knows no more of who watches.
package protocol PhaseMarking: AnyObject {
  /// What ran so far was the last phase entered; from here on it is `phase`.
  func enter(_ phase: Phase)
}
