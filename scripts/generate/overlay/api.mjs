/**
 * What the API's description does not say of its other resources: names, secrets, and texts where the rule's are not enough.
 * Limits, types and wire names are the description's own.
 */

/** Our name of a schema, where it is another. */
export const names = {
  api__common_schemas__Creator: "Creator",
  api__routers__api_key_pairs__schemas__Creator: "APIKeyPairCreator",
  // `Field` is a part of every model.
  Field: "ConnectionField",
  VoidableField: "ConnectionFieldUpdate"
}

/** Secrets by the schema and the property: `Redacted` in TypeScript, also in a response. */
export const secrets = [
  "CardPaymentMethodCreate.number",
  "CardPaymentMethodCreate.security_code",
  "CardWithUrlPaymentMethodCreate.number",
  "CardWithUrlPaymentMethodCreate.security_code",
  "ClickToPayFPANPaymentMethodCreate.number",
  "GooglePayFPANPaymentMethodCreate.number",
  "PaymentMethodCard.number",
  "TokenPaymentMethodCreate.security_code",
  "NetworkTokenCreate.security_code",
  "PaymentServiceTokenCreate.security_code",
  "ThreeDSecureScenarioConditions.card_number",
  "GiftCardActivationCreate.number",
  "GiftCardActivationCreate.pin",
  "GiftCardCreate.number",
  "GiftCardCreate.pin",
  "GiftCardRequest.number",
  "GiftCardRequest.pin",
  "GiftCardTransactionCreate.number",
  "GiftCardTransactionCreate.pin",
  "ClickToPayPaymentMethodCreate.cryptogram",
  "NetworkTokenPaymentMethodCreate.cryptogram",
  "Cryptogram.cryptogram",
  "ThreeDSecureDataV1.cavv",
  "ThreeDSecureDataV2.cavv",
  "ThreeDSecureV2.cavv",
  "ApplePayPaymentMethodCreate.token",
  "ClickToPayPaymentMethodCreate.token",
  "GooglePayPaymentMethodCreate.token",
  "GooglePaySession.token",
  "NetworkTokenPaymentMethodCreate.token",
  "NetworkToken.token",
  "PaymentServiceToken.token",
  "PazePaymentMethodCreate.token",
  "PazePaymentMethodCreate.checkout_token",
  "PazeMobileSession.accessToken",
  "PazeMobileSessionCreateRequest.accessToken",
  "PazeSessionReviewRequest.accessToken",
  "PazeSessionReviewRequest.code",
  "PazeSessionCompleteRequest.accessToken",
  "PazeSessionCompleteRequest.code",
  "PazeSessionComplete.securePayload",
  "PlaidPaymentMethodCreate.token",
  "Transaction.session_token",
  "DlocalUPIWalletOptions.token",
  "DlocalWalletOptions.token",
  "KlarnaOptions.authorization_token",
  "TrustlyOptions.refreshSplitToken",
  "WpayEverdaypayOptions.rewardsAccessToken",
  "APIKeyPair.private_key",
  "ACHBankPaymentMethodCreate.account_number",
  "BACSBankPaymentMethodCreate.account_number",
  "SEPABankPaymentMethodCreate.account_number",
  "BasicAuthenticationCreate.password",
  "CredentialsOAuthAuthenticationCreate.client_secret",
  "PasswordOAuthAuthenticationCreate.password",
  "PasswordOAuthAuthenticationCreate.client_secret",
  "WebhookSubscription.secret",
  "Field.value",
  "VoidableField.value",
  "DigitalWallet.fields",
  "MerchantAccount.loon_client_key",
  "MerchantAccount.loon_secret_key",
  "MerchantAccount.account_updater_request_encryption_key",
  "MerchantAccount.account_updater_response_decryption_key",
  "MerchantAccountCreate.loon_client_key",
  "MerchantAccountCreate.loon_secret_key",
  "MerchantAccountCreate.account_updater_request_encryption_key",
  "MerchantAccountCreate.account_updater_response_decryption_key",
  "MerchantAccountUpdate.loon_client_key",
  "MerchantAccountUpdate.loon_secret_key",
  "MerchantAccountUpdate.account_updater_request_encryption_key",
  "MerchantAccountUpdate.account_updater_response_decryption_key"
]

/** Bodies that are one of several models have a name of ours, by the operation. */
export const bodies = {
  create_payment_method: "PaymentMethodCreate"
}
export const answers = {
  capture_transaction: "TransactionOrCapture",
  void_transaction: "TransactionOrVoid",
  create_paze_digital_wallet_session: "PazeSession"
}

/** Headers of an operation that the description does not have, or says too little of. */
export const headers = {
  create_transaction: {
    "x-forwarded-for": { text: "The buyer's IP address, for the checks against fraud.", type: "string" }
  },
  capture_transaction: {
    prefer: {
      text: "Makes the response a `TransactionCapture`; it is the `Transaction` otherwise.",
      type: "string",
      enum: ["resource=transaction-capture"]
    }
  },
  void_transaction: {
    prefer: {
      text: "Makes the response a `TransactionVoid`; it is the `Transaction` otherwise.",
      type: "string",
      enum: ["resource=transaction-void"]
    }
  }
}

/** The groups and names of operations that the description hides. */
export const hidden = {
  create_webhook_subscription: ["webhook-subscriptions", "create"],
  list_webhook_subscription: ["webhook-subscriptions", "list"],
  update_webhook_subscription: ["webhook-subscriptions", "update"],
  delete_webhook_subscription: ["webhook-subscriptions", "delete"],
  read_webhook_subscription: ["webhook-subscriptions", "get"],
  rotate_webhook_subscription_secret: ["webhook-subscriptions", "rotate_secret"]
}

/** The resources that core has. */
export const ofCore = ["checkout-sessions"]

/** Operations whose answer has the id of the path although another segment follows. */
export const belongs = [
  "sync_transaction",
  "suspend_payment_method_network_token",
  "resume_payment_method_network_token"
]

/** Operations on the transaction of the path: their answer is it, has it inside, or names it. */
export const belongsTo = ["capture_transaction", "void_transaction", "cancel_transaction", "create_transaction_refund"]

/** The operations whose key Gr4vy's guides name. For the other keyed ones only the description promises it. */
export const guidedKeys = [
  "create_transaction",
  "capture_transaction",
  "void_transaction",
  "create_transaction_refund",
  "create_full_transaction_refund"
]

/** Models of several resources, in files of their own: what the named schemas alone refer to. */
export const shared = {
  ConnectionOptions: {
    about: "The options of connections: what a payment service needs beyond the API's own fields.",
    roots: ["TransactionConnectionOptions"]
  },
  Common: { about: "The models that several resources share." }
}

/** Texts and notes in place of the rule's. */
export const models = {
  Transaction: {
    text: "A transaction: a payment with everything that happened to it.",
    fields: {
      status: { text: "The status of the payment", more: "`Payment.outcome` says what it means for a shop." },
      amount: { text: "The amount that was asked for, in the smallest unit of the currency (cents)." },
      authorized_amount: { text: "The amount that is authorized." },
      captured_amount: { text: "The amount that is captured; 0 until then." },
      refunded_amount: { text: "The amount that is refunded." },
      error_code: { text: "Why the payment was declined or failed, in Gr4vy's own words for all payment services." }
    }
  },
  TransactionCreate: {
    text: "The contents of a new transaction.",
    fields: {
      amount: { text: "The amount in the smallest unit of the currency (cents).", example: 1299 },
      currency: { text: "The currency.", example: "EUR" },
      payment_method: { text: "The payment method: by a Checkout Session, a stored one, or new data." }
    }
  },
  TransactionRefundCreate: {
    text: "The contents of a new refund.",
    fields: {
      amount: {
        text: "The amount to refund, in the smallest unit of the currency (cents).",
        more: "Without it, and with `null`, everything that is left is refunded; `undefined` is refused.",
        isGiven: true
      }
    }
  },
  TransactionCaptureCreate: {
    text: "How much of an authorized amount to capture.",
    fields: {
      amount: {
        text: "The amount to capture, in the smallest unit of the currency (cents).",
        more: "Without it everything that is left is captured; `undefined` is refused.",
        isGiven: true
      }
    }
  },
  TransactionOrCapture: { text: "The transaction, or with the header `prefer` the capture." },
  TransactionOrVoid: { text: "The transaction, or with the header `prefer` the void." },
  PazeSession: { text: "A session of Paze, for the web or for a mobile app." },
  PaymentMethodCreate: {
    text: "The contents of a new payment method: a card, a bank account, or another kind by its `method`."
  },
  Field: { text: "A credential of a connection by its name." }
}

/** What a resource is, where its name does not say it. */
export const resources = {}

/** What an operation does, where its name is none of list, create, get, update and delete. */
export const operations = {
  create_account_updater_job: "Starts a job that asks the card schemes for new card data",
  list_buyer_payment_methods: "Lists the payment methods of a buyer, who is named in the query",
  list_buyer_gift_cards: "Lists the gift cards of a buyer, who is named in the query",
  create_payment_method_network_token_cryptogram: "Creates a cryptogram for a network token",
  suspend_payment_method_network_token: "Suspends a network token",
  resume_payment_method_network_token: "Resumes a suspended network token",
  list_gift_card_balances: "Reads the balances of gift cards",
  activate_gift_card: "Activates a gift card",
  issue_gift_card: "Issues a gift card",
  create_google_pay_digital_wallet_session: "Creates a session of Google Pay",
  create_apple_pay_digital_wallet_session: "Creates a session of Apple Pay",
  create_paze_mobile_session: "Creates a checkout of Paze in a mobile app",
  create_paze_digital_wallet_session: "Creates a session of Paze",
  review_paze_mobile_session: "Reviews a checkout of Paze in a mobile app",
  complete_paze_mobile_session: "Completes a checkout of Paze in a mobile app",
  create_click_to_pay_digital_wallet_session: "Creates a session of Click to Pay",
  register_digital_wallet_domain: "Registers a domain for a digital wallet",
  unregister_digital_wallet_domain: "Removes a domain from a digital wallet",
  capture_transaction: "Captures an authorized amount, or a part of it",
  void_transaction: "Voids an authorized transaction",
  cancel_transaction: "Cancels a transaction that waits for the buyer's approval",
  sync_transaction: "Asks the payment service for the status of a transaction",
  create_full_transaction_refund: "Refunds everything that is left of a transaction, gift cards included",
  increment_transaction_authorization: "Raises the authorized amount of a transaction",
  list_payment_options: "Lists the ways in which a payment can be made",
  create_payment_service_definition_session: "Creates a session with a payment service, by its definition",
  create_payment_service_session: "Creates a session with a payment service",
  verify_payment_service_credentials: "Checks the credentials of a payment service",
  update_report: "Changes a report",
  create_report_execution_url: "Creates a URL under which the result of a report can be downloaded",
  expire_payment_link: "Expires a payment link",
  rotate_webhook_subscription_secret: "Rotates the secret of a webhook subscription"
}
