import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Names of what is an amount or a price: it is text, bigint, or one of the exact kinds of wms/money.rules, never a number. */
const money = String.raw`/(^|[a-z])(amount|price|rate|tolerance|payable)$|^(net|tax|gross|value|minimum|paid|openBalance)$/i`;
const named = `:matches(Identifier[name=${money}], MemberExpression[property.name=${money}], MemberExpression[property.value=${money}])`;
const floats = String.raw`/::\s*(float|real|double|money)|\b(double precision|float[48])\b/i`;
const moneyAsNumber = [
  `CallExpression[callee.name=/^(Number|parseFloat|parseInt)$/] ${named}`,
  `CallExpression[callee.object.name=/^(Number|Math)$/] > ${named}.arguments`,
  `CallExpression[callee.property.name=/^to(Fixed|Precision)$/] > MemberExpression.callee > ${named}.object`,
  `UnaryExpression[operator=/^[+-]$/] > ${named}`,
  `BinaryExpression[operator=/^([-+*/%]|[*][*])$/] > ${named}`,
  `:matches(TSPropertySignature, PropertyDefinition)[key.name=${money}] TSNumberKeyword`,
  `Identifier[name=${money}] > TSTypeAnnotation TSNumberKeyword`,
  `Property[key.name=${money}] CallExpression[callee.property.name=/^(number|int|float32|float64)$/]`,
  `TemplateElement[value.raw=${floats}]`,
  `Literal[value=${floats}]`,
].map((selector) => ({
  selector,
  message: 'Money never becomes a JavaScript number or a float; see wms/money.rules.',
}));

export default tseslint.config(
  { ignores: ['dist', '.belay', 'coverage', 'node_modules'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `import type` would erase the constructor types that dependency injection reads.
      '@typescript-eslint/consistent-type-imports': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only readConfig() in platform/config reads the environment.' },
      ],
    },
  },
  {
    files: ['libs/wms/src/**/*.ts'],
    // That one tries it, to see it refused.
    ignores: ['**/money.rules.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...moneyAsNumber] },
  },
  { files: ['libs/platform/src/config/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        fetch: 'readonly',
      },
    },
  },
);
