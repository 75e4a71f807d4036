/**
 * Whether a POST or PATCH may be sent twice, by its `operationId`. The description does not say it, and a wrong class is
 * somebody's money: an operation without a class is an error of the generator. GET, PUT and DELETE are `idempotent`. An
 * operation that declares the header `idempotency-key` is `keyed`.
 */

/** It reads, or sets a state that a second copy sets again. */
const idempotent = [
  "list_gift_card_balances",
  "list_payment_options",
  "verify_payment_service_credentials",
  "sync_transaction",
  "cancel_transaction",
  "suspend_payment_method_network_token",
  "resume_payment_method_network_token",
  "expire_payment_link",
  "create_report_execution_url"
]

/** A second copy makes a second thing that expires by itself. */
const create = [
  "create_google_pay_digital_wallet_session",
  "create_apple_pay_digital_wallet_session",
  "create_paze_digital_wallet_session",
  "create_paze_mobile_session",
  "create_click_to_pay_digital_wallet_session",
  "create_payment_service_session",
  "create_payment_service_definition_session",
  "create_checkout_session"
]

/** All others: never twice. */
const once = [
  "create_account_updater_job",
  "create_api_key_pair",
  "create_payment_method",
  "create_payment_method_payment_service_token",
  "create_payment_method_network_token",
  "create_payment_method_network_token_cryptogram",
  "create_gift_card",
  "add_buyer",
  "add_buyer_shipping_details",
  "configure_digital_wallet",
  "review_paze_mobile_session",
  "complete_paze_mobile_session",
  "register_digital_wallet_domain",
  "create_payment_service",
  "add_report",
  "create_merchant_account",
  "create_three_ds_configuration",
  "create_three_ds_scenario",
  "create_payout",
  "add_payment_link",
  "create_webhook_subscription",
  "rotate_webhook_subscription_secret"
]

export const resend = Object.fromEntries([
  ...idempotent.map((operation) => [operation, "idempotent"]),
  ...create.map((operation) => [operation, "create"]),
  ...once.map((operation) => [operation, "once"])
])
