// Declarations for programs that are compiled with `exactOptionalPropertyTypes`: there a member that may be left out may
// not be `undefined` unless its type says so. Ours all may, for what `extract` finds or a variable of the environment
// holds is often nothing.
//
// Called by `build.mjs` with what it has bundled.

import ts from '@typescript/typescript6'

/** The text of a declaration file whose optional members may be `undefined`, for programs with an older library too. */
export function forEverybody(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const edits = []
  const visit = (node) => {
    const isMember = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node)
    if (isMember && node.questionToken !== undefined && node.type !== undefined) add(node.type)
    ts.forEachChild(node, visit)
  }
  const add = (type) => {
    const parts = ts.isUnionTypeNode(type) ? type.types : [type]
    if (parts.some(({ kind }) => kind === ts.SyntaxKind.UndefinedKeyword)) return
    const isFunction = ts.isFunctionTypeNode(type) || ts.isConstructorTypeNode(type)
    if (isFunction || ts.isConditionalTypeNode(type)) edits.push([type.getStart(source), '('])
    edits.push([type.end, isFunction || ts.isConditionalTypeNode(type) ? ') | undefined' : ' | undefined'])
  }
  visit(source)
  let result = text
  // From the end on, so that places stay what they are.
  for (const [at, more] of edits.sort(([a], [b]) => b - a))
    result = result.slice(0, at) + more + result.slice(at)
  // Programs that have neither the newest library nor the types of Node know no `Symbol.dispose`.
  return result.includes('Symbol.dispose') ? `/// <reference lib="esnext.disposable" />\n${result}` : result
}
