/**
 * The patterns of the description in words: the expectation in a message, and the limit in a hover.
 */
export const patterns = {
  "^[A-Z]{2}$": ["2 capital letters (ISO 3166-1 alpha-2)", "2 capital letters (ISO 3166-1 alpha-2)"],
  "^[A-Z]{3}$": ["3 capital letters (ISO 4217)", "3 capital letters (ISO 4217)"],
  "^[A-Z]{2}-[A-Z0-9]{1,3}$": [
    "a code like US-CA (ISO 3166-2)",
    "country, dash, 1–3 capital letters or digits (ISO 3166-2)"
  ],
  "^\\+[1-9]\\d{1,14}$": ["a phone number with + and country code (E.164)", "with `+` and country code (E.164)"],
  "^\\d{2}/\\d{2}$": ["MM/YY", "as `MM/YY`"],
  "^(0[1-9]|1[0-2])/\\d{2}$": ["MM/YY", "as `MM/YY`"],
  "^[0-9]{13,19}$": ["13 to 19 digits, without blanks or dashes", "13–19 digits"],
  "^\\d{3,4}$": ["3 or 4 digits", "3 or 4 digits"],
  "^\\d{13,19}$": ["13 to 19 digits, without blanks or dashes", "13–19 digits"],
  "^\\d{16,19}$": ["16 to 19 digits, without blanks or dashes", "16–19 digits"],
  "^\\d{6,8}$": ["6 to 8 digits", "6–8 digits"],
  "^0?\\d$": ["a digit, with or without a 0 before it", "a digit, with or without a 0 before it"],
  "^[12](\\.\\d+){0,2}$": ["a version like 2.2.0", "like `2.2.0`"],
  "^[a-zA-Z0-9-]{1,50}$": ["1 to 50 letters, digits and dashes", "1–50 letters, digits and dashes"],
  "^\\d+(?:vh|px)$": ["a height like 100px or 50vh", "like `100px` or `50vh`"],
  "^\\d+(?:vw|px)$": ["a width like 100px or 50vw", "like `100px` or `50vw`"]
}
