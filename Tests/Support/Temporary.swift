package enum PackageRoot { package static let path = "/work/main" }
package enum SharedFiles { package static func path(_ name: String) -> String? { "/work/shared/" + name } }
