/// Light and dark by what the reader's system prefers; one column on a telephone, several on a wide screen.
enum PageStyle {
  static let text = """
    :root{color-scheme:light dark;--ink:#1c1c1e;--soft:#5c5c66;--paper:#fff;--card:#f5f6f8;--line:#d8dae0;--tint:0,114,178;
    --c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b0548a;--c4:#b87a00;--c5:#3a9bd0;--c6:#333;--good:#00704f;--bad:#b3261e}
    @media(prefers-color-scheme:dark){:root{--ink:#ececf0;--soft:#a6a6b2;--paper:#16171a;--card:#202227;--line:#3a3d45;--tint:74,163,223;
    --c0:#4aa3df;--c1:#ff8a4c;--c2:#3ecf9f;--c3:#e39cc6;--c4:#f0b84a;--c5:#9ad7f5;--c6:#e8e8e8;--good:#52d6a8;--bad:#ff8a80}}
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:1360px;padding:0 16px 40px;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    h1{font-size:1.6rem;margin:24px 0 0;overflow-wrap:anywhere}
    h2{font-size:1.3rem;margin:40px 0 8px;padding-top:12px;border-top:1px solid var(--line)}
    h3{font-size:1.1rem;margin:24px 0 4px;overflow-wrap:anywhere}
    h4{margin:20px 0 0}
    .subtitle,.intro,.note,small,.name{color:var(--soft)}
    .subtitle{margin:4px 0 12px}
    .intro{max-width:76ch;margin:4px 0 12px}
    .note{font-size:.85rem;margin:4px 0;max-width:76ch}
    nav a{display:inline-block;margin:0 12px 4px 0}
    a{color:var(--c0)}
    .summary{background:var(--card);border-radius:10px;padding:4px 18px 12px;margin-top:16px}
    .summary h2{border:0;margin:8px 0;padding:0}
    .summary li{margin:6px 0;max-width:90ch}
    .summary ul{padding-left:20px}
    .figure{display:inline-block;margin:4px 28px 4px 0}
    .figure .value{display:block;font-size:1.5rem;font-weight:600}
    .figure .name{font-size:.85rem}
    .try{margin:8px 0}
    code,pre{font:.85rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
    code{background:var(--paper);border:1px solid var(--line);border-radius:5px;padding:2px 6px;display:inline-block}
    pre{overflow-x:auto;background:var(--card);padding:12px;border-radius:8px}
    .missing{border-left:4px solid var(--c4);background:var(--card);padding:6px 12px;margin:8px 0;max-width:90ch;overflow-wrap:anywhere}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:16px}
    figure{margin:0}
    .chart{background:var(--card);border-radius:10px;padding:10px 12px;min-width:0}
    .chart figcaption{font-weight:600}
    .chart svg{width:100%;height:auto;display:block}
    svg text{fill:var(--soft);font-size:12px;text-anchor:middle}
    svg text.y{text-anchor:end}
    svg text[text-anchor=end]{text-anchor:end}
    .grid{stroke:var(--line)}
    .axis{stroke:var(--soft);fill:none}
    .line{fill:none;stroke-width:2;stroke-linejoin:round}
    .band{opacity:.16;stroke:none}
    .dot{stroke:none}
    .s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}.s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}
    .line{stroke:var(--c)}.band,.dot{fill:var(--c)}
    .line.dashed{stroke-dasharray:6 4}
    .phase{fill:var(--c)}.between{--c:var(--line)}
    .legend{list-style:none;margin:4px 0 0;padding:0;font-size:.85rem;display:flex;flex-wrap:wrap;gap:2px 16px}
    .legend li{overflow-wrap:anywhere}
    .legend data{font-weight:600}
    .swatch{display:inline-block;width:14px;height:4px;border-radius:2px;background:var(--c);margin-right:6px;vertical-align:middle}
    .swatch.dashed{background:repeating-linear-gradient(90deg,var(--c) 0 4px,transparent 4px 7px)}
    .wide{overflow-x:auto;margin:12px 0}
    table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;font-weight:600;padding:4px 0}
    .matrix caption{font-weight:400;color:var(--soft)}
    th,td{padding:3px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
    th:first-child,td:first-child{text-align:left;padding-left:0}
    thead th{color:var(--soft);font-weight:600}
    .tables{display:flex;flex-wrap:wrap;gap:0 40px}
    .tables>div{min-width:0;max-width:100%}
    .matrix th,.matrix td{border:1px solid var(--paper);padding:2px 5px;text-align:center;min-width:30px}
    .matrix th:first-child{text-align:right;padding-right:8px}
    .matrix thead th{vertical-align:bottom}
    .matrix thead span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:130px;overflow:hidden;text-overflow:ellipsis}
    .matrix td{background:rgba(var(--tint),calc(.04 + .96*var(--share)))}
    .matrix td.miss{background:rgba(213,94,0,calc(.03 + .97*var(--share)))}
    .matrix td.strong{color:#fff}
    .stepper{position:sticky;top:0;z-index:1;background:var(--paper);padding:8px 0;display:flex;flex-wrap:wrap;gap:4px 14px;align-items:center}
    .stepper[hidden]{display:none}
    .stepper label{display:flex;align-items:center;gap:8px;font-size:1.1rem}
    .stepper input{width:min(44vw,320px)}
    .stepper button{font-size:1rem;padding:4px 12px}
    .stepper>span{color:var(--soft);font-size:.85rem}
    .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:14px}
    .card{background:var(--card);border-radius:10px;padding:10px 12px;min-width:0}
    .card figcaption small,.wrongs small{overflow-wrap:anywhere}
    img{image-rendering:pixelated;background:var(--line)}
    .stage{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:8px 0 0;text-align:center}
    .stage[hidden],.now[hidden]{display:none}
    .stage img{width:100%;height:auto;display:block;border-radius:4px}
    .now{margin:4px 0;font-size:.9rem}
    .strip{list-style:none;display:flex;overflow-x:auto;gap:6px;margin:8px 0 0;padding:0 0 6px;font-size:.75rem;line-height:1.35}
    .strip li{flex:0 0 74px;text-align:center;border-radius:6px;padding:3px;border:2px solid transparent}
    .strip li.on{border-color:var(--c0)}
    .strip img{width:64px;height:auto;display:block;margin:0 auto 2px;border-radius:3px}
    .stepping .strip li{cursor:pointer}
    .stepping .strip img{width:40px}
    .strip span{display:block;overflow-wrap:anywhere}
    .right{color:var(--good)}.wrong{color:var(--bad)}
    .wrongs{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:14px;margin-top:8px}
    .wrongs img{width:96px;height:auto;display:block;border-radius:4px}
    .wrongs figcaption{font-size:.85rem}
    .reliability svg{max-width:300px;margin:0 auto}
    .bar{fill:var(--c0);opacity:.75}
    .ideal{stroke:var(--c1);stroke-width:2;stroke-dasharray:6 4}
    details{margin:12px 0}
    summary{cursor:pointer;color:var(--c0)}
    footer{margin-top:40px;color:var(--soft);font-size:.85rem}
    @media print{.stepper{display:none}}

    """
}
