/// The page, section by section. What comes from a run is in two braces, and escaped; in three stands what the program
/// has made itself.
enum PageTemplate {
  /// In every page, by which one of ours is known again; the version follows.
  static let mark = #"<meta name="generator" content="icp "#

  static let page = #"""
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    \#(mark){{version}}">
    <link rel="icon" href="data:,">
    <title>{{title}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header>
    <h1>{{title}}</h1>
    <p class="subtitle">{{subtitle}}</p>
    <nav>{{#comparison}}<a href="#comparison">Comparison</a> {{/comparison}}<a href="#accuracy">Accuracy and loss</a> <a href="#refinement">Refinement</a> <a href="#pictures">Pictures</a> <a href="#confusion">Confusion</a> <a href="#calibration">Calibration</a> <a href="#time">Time</a> <a href="#configuration">Configuration</a></nav>
    </header>
    <main>
    <section id="summary" class="summary">
    <h2>In short</h2>
    {{#figures}}<div class="figure"><span class="value"><data value="{{exact}}">{{text}}</data></span><span class="name">{{name}}</span></div>{{/figures}}
    <ul>
    {{#summary}}<li>{{.}}</li>
    {{/summary}}</ul>
    {{#commands}}<p class="try">{{purpose}}:<br><code>{{command}}</code></p>
    {{/commands}}
    </section>
    {{#comparison}}
    <section id="comparison">
    <h2>Comparison</h2>
    {{> charts}}
    </section>
    {{/comparison}}
    {{#accuracy}}
    <section id="accuracy">
    <h2>Accuracy and loss</h2>
    {{> charts}}
    </section>
    {{/accuracy}}
    {{#refinement}}
    <section id="refinement">
    <h2>Refinement</h2>
    {{> charts}}
    </section>
    {{/refinement}}
    <section id="pictures">
    <h2>Pictures</h2>
    {{#pictures}}{{> pictures}}{{/pictures}}
    </section>
    <section id="confusion">
    <h2>Confusion</h2>
    {{#confusion}}{{> confusion}}{{/confusion}}
    </section>
    <section id="calibration">
    <h2>Calibration</h2>
    {{#calibration}}{{> calibration}}{{/calibration}}
    </section>
    {{#time}}
    <section id="time">
    <h2>Time</h2>
    {{> charts}}
    </section>
    {{/time}}
    {{#configuration}}
    <section id="configuration">
    <h2>Configuration</h2>
    {{#repeats}}<p class="try">{{purpose}}:<br><code>{{command}}</code></p>
    {{/repeats}}
    {{#tables}}{{> table}}{{/tables}}
    {{#texts}}<details><summary>The whole configuration of {{run}}</summary><pre>{{text}}</pre></details>
    {{/texts}}
    </section>
    {{/configuration}}
    </main>
    <footer>icp {{version}}. This page needs nothing but itself: keep it, or send it, as it is.</footer>
    <script>{{{script}}}</script>
    </body>
    </html>

    """#

  static let charts = #"""
    {{#intro}}<p class="intro">{{.}}</p>
    {{/intro}}
    {{#missing}}<p class="missing">{{.}}</p>
    {{/missing}}
    <div class="charts">
    {{#timelines}}{{> timeline}}{{/timelines}}
    {{#charts}}{{> chart}}{{/charts}}
    </div>
    {{#tables}}{{> table}}{{/tables}}
    """#

  static let timeline = #"""
    <figure class="chart">
    <figcaption>{{title}}</figcaption>
    <svg viewBox="0 0 {{width}} {{height}}" role="img" aria-label="{{title}}">
    {{#bars}}<rect class="phase {{style}}" x="{{x}}" y="{{y}}" width="{{width}}" height="12"><title>{{note}}</title></rect>
    {{/bars}}
    {{#rows}}<text class="y" x="46" y="{{y}}">{{name}}</text>
    {{/rows}}
    {{#ticks}}<line class="axis" x1="{{at}}" y1="{{bottom}}" x2="{{at}}" y2="{{tickEnd}}"/><text class="x" x="{{at}}" y="{{tickText}}">{{label}}</text>
    {{/ticks}}
    <path class="axis" d="M50 {{bottom}}H410"/>
    </svg>
    <ul class="legend">
    {{#legend}}<li><span class="swatch {{style}}"></span>{{name}}</li>
    {{/legend}}
    </ul>
    <p class="note">{{note}}</p>
    </figure>
    """#

  static let chart = #"""
    <figure class="chart">
    <figcaption>{{title}}</figcaption>
    <svg viewBox="0 0 {{width}} {{height}}" role="img" aria-label="{{title}}">
    {{#yTicks}}<line class="grid" x1="{{left}}" y1="{{at}}" x2="{{right}}" y2="{{at}}"/><text class="y" x="44" y="{{at}}" dy="4">{{label}}</text>
    {{/yTicks}}
    {{#xTicks}}<line class="axis" x1="{{at}}" y1="{{bottom}}" x2="{{at}}" y2="218"/><text class="x" x="{{at}}" y="232">{{label}}</text>
    {{/xTicks}}
    <path class="axis" d="M{{left}} {{top}}V{{bottom}}H{{right}}"/>
    <text class="x" x="{{right}}" y="247" text-anchor="end">{{xLabel}}</text>
    {{#lines}}{{#hasBand}}<polygon class="band {{style}}" points="{{band}}"/>{{/hasBand}}<polyline class="line {{style}}" points="{{path}}"/>
    {{#dots}}<circle class="dot {{style}}" cx="{{cx}}" cy="{{cy}}" r="3"><title>{{note}}</title></circle>{{/dots}}
    {{/lines}}
    </svg>
    <ul class="legend">
    {{#legend}}<li><span class="swatch {{style}}"></span>{{name}} <data value="{{exact}}">{{last}}</data></li>
    {{/legend}}
    </ul>
    {{#note}}<p class="note">{{.}}</p>{{/note}}
    </figure>
    """#

  static let table = #"""
    {{#isFolded}}<details><summary>{{caption}}</summary>{{/isFolded}}
    <div class="wide"><table>
    {{^isFolded}}<caption>{{caption}}</caption>{{/isFolded}}
    <thead><tr>{{#header}}<th scope="col">{{.}}</th>{{/header}}</tr></thead>
    <tbody>
    {{#rows}}<tr>{{#cells}}<td>{{#exact}}<data value="{{.}}">{{text}}</data>{{/exact}}{{^exact}}{{text}}{{/exact}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table></div>
    {{#isFolded}}</details>{{/isFolded}}
    """#

  static let pictures = #"""
    {{#isSeveral}}<h3>{{run}}</h3>
    {{/isSeveral}}
    {{#intro}}<p class="intro">{{.}}</p>
    {{/intro}}
    {{#outcome}}<p><strong>{{.}}</strong></p>
    {{/outcome}}
    {{#missing}}<p class="missing">{{.}}</p>
    {{/missing}}
    {{#moves}}<div class="stepper" data-steps="{{steps}}" hidden>
    <button type="button" class="play" aria-label="play">&#9654;</button>
    <label><span>x<sub class="at">{{steps}}</sub></span><input type="range" min="0" max="{{steps}}" value="{{steps}}" aria-label="step of the refinement"></label>
    <span>Step through x<sub>0</sub> to x<sub>{{steps}}</sub>: every picture follows.</span>
    </div>{{/moves}}
    <div class="cards">
    {{#cards}}
    <figure class="card">
    <figcaption><b>{{label}}</b> {{summary}}<br><small>{{origin}}</small></figcaption>
    {{#hasPictures}}{{#moves}}<div class="stage" hidden>
    <div><img class="from" alt="x 0"><small>x<sub>0</sub></small></div>
    <div><img class="to" alt="x t"><small>x<sub class="at"></sub></small></div>
    <div><img class="change" alt="difference"><small>difference &times;{{gain}}</small></div>
    </div>
    <p class="now" hidden></p>{{/moves}}{{/hasPictures}}
    <ol class="strip" start="0">
    {{#frames}}<li data-t="{{t}}">{{#picture}}<img class="x" src="{{{.}}}" alt="x {{t}}">{{/picture}}{{#change}}<img class="d" src="{{{.}}}" alt="difference {{t}}">{{/change}}<span class="t">x<sub>{{t}}</sub></span> <span>loss <data value="{{lossExact}}">{{loss}}</data></span> <span class="says {{#isRight}}right{{/isRight}}{{^isRight}}wrong{{/isRight}}">{{#isRight}}&#10003;{{/isRight}}{{^isRight}}&#10007;{{/isRight}} {{says}}: {{confidence}}</span></li>
    {{/frames}}
    </ol>
    </figure>
    {{/cards}}
    </div>
    {{#moves}}<p class="note">A difference is shown {{gain}} times as strong as it is, the same for all pictures: grey where nothing changes, brighter where x<sub>t</sub> is brighter than x<sub>0</sub>. &#10003; and &#10007;: what the network says is the label, or is not, and how sure it is.</p>{{/moves}}
    """#

  static let confusion = #"""
    {{#isSeveral}}<h3>{{run}}</h3>
    {{/isSeveral}}
    {{#intro}}<p class="intro">{{.}}</p>
    {{/intro}}
    {{#missing}}<p class="missing">{{.}}</p>
    {{/missing}}
    {{#hasMatrix}}<div class="wide"><table class="matrix">
    <caption>Rows: what an image is. Columns: what it is taken for. Colour: the share of its row.</caption>
    <thead><tr><th></th>{{#names}}<th scope="col"><span>{{.}}</span></th>{{/names}}</tr></thead>
    <tbody>
    {{#rows}}<tr><th scope="row">{{name}}</th>{{#cells}}<td title="{{note}}" style="--share:{{share}}" class="{{#isDiagonal}}hit{{/isDiagonal}}{{^isDiagonal}}miss{{/isDiagonal}}{{#isStrong}} strong{{/isStrong}}">{{count}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table></div>{{/hasMatrix}}
    <div class="tables">{{#tables}}<div>{{> table}}</div>{{/tables}}</div>
    {{#hasWrong}}<h4>Most wrong</h4>
    <p class="note">The images whose label the network finds the least likely.</p>
    <div class="wrongs">
    {{#wrong}}<figure>{{#picture}}<img src="{{{.}}}" alt="">{{/picture}}<figcaption><b>{{label}}</b> taken for <b>{{says}}</b>, {{confidence}} sure, loss {{loss}}<br><small>{{origin}}</small></figcaption></figure>
    {{/wrong}}
    </div>{{/hasWrong}}
    """#

  static let calibration = #"""
    {{#isSeveral}}<h3>{{run}}</h3>
    {{/isSeveral}}
    {{#intro}}<p class="intro">{{.}}</p>
    {{/intro}}
    {{#missing}}<p class="missing">{{.}}</p>
    {{/missing}}
    {{#verdict}}<p><strong>{{.}}</strong></p>
    {{/verdict}}
    <div class="charts">
    {{#hasBars}}<figure class="chart reliability">
    <figcaption>Reliability</figcaption>
    <svg viewBox="-8 0 258 250" role="img" aria-label="accuracy by confidence">
    {{#bars}}<rect class="bar" x="{{x}}" y="{{y}}" width="{{width}}" height="{{height}}"><title>{{note}}</title></rect>
    {{/bars}}
    <line class="ideal" x1="40" y1="210" x2="240" y2="10"/>
    <path class="axis" d="M40 10V210H240"/>
    <text class="y" x="34" y="214">0</text><text class="y" x="34" y="114">50 %</text><text class="y" x="34" y="14">100 %</text>
    <text class="x" x="40" y="228">0</text><text class="x" x="140" y="228">50 %</text><text class="x" x="232" y="228">100 %</text>
    <text class="x" x="140" y="245">how sure</text>
    </svg>
    <p class="note">Height: how many are right. The line: as many as it is sure of.</p>
    </figure>{{/hasBars}}
    {{#charts}}{{> chart}}{{/charts}}
    </div>
    """#
}
