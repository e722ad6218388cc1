"""What a field's name tells of its shape in the Admin API 2025-10: which are lists, which connections lack ids.

Belongs here: names alone, for rules that must hold before a query is sent and without the schema at hand. A
conformance test compares them with the schema. Does not belong here: the rules (`linter`).
"""

LISTS = frozenset(
    """
    accessScopes actions activeSubscriptions additionalFees addresses adjustmentsOrders alerts
    allProductCategories allProductCategoriesList allocations alternateLocales anchors appDiscountTypes
    appFeedback assessments attachments availableAccessScopes availableBackupRegions
    availableCarrierServices availableLocalDeliveryRates availableLocalPickupOptions availableLocales
    availableServicesForCountries availableShippingRates balance bundleComponents businessEntities
    calculatedDiscountAllocations catalogOperations changes channelDefinitions
    channelDefinitionsForInstalledChannels collectionRulesConditions columns companyContactProfiles
    components consentPolicy consentPolicyRegions countries countriesInAnyZone currentTaxLines
    customAttributes customAttributesV2 customers cycleDiscounts deliveryOptions details discountAllocations
    discounts dispositions disputeFileUploads disputes domains duties enabledCapabilities errors
    exchangeLineItems facts failedRequirements fees fieldDefinitions fields filters financialSummaries
    fulfillmentConstraintRules fulfillmentHolds fulfillmentServices fulfillments itemDiscounts items
    lineDiscounts lineItems locations locationsAvailableForDeliveryProfiles marketLocalizableContent
    marketLocalizations marketWebPresences mediaWarnings memberships messages metafieldDefinitionTypes
    metafields methodConditions moments navigationItems navigationSettings operations optionSelections
    optionValues optionalAccessScopes options parameters participantServices paymentTermsTemplates
    platformDiscounts previewRedirects pricingPolicies productAvailability profileLocationGroups provinces
    publicApiVersions quantities quantityNames refundDuties refundLineItems refunds requestedAccessScopes
    returnLineItems returnShippingFees risks rootUrls rules screenshots segments selectedOptions
    shareableUrls shippingLines shippingOptions shopLocales shopPolicies sources stagedChanges subscriptions
    suggestedAddresses suggestedRefundMethods suggestedTransactions supportedActions supportedValidations
    taxLines taxes trackingInfo transactions translatableContent translations unassignedLocations
    validations values vaultedPaymentMethods warnings
    """.split()  # noqa: SIM905 - a column of quoted names is harder to read
)
"""Fields whose value is a list of objects (some are a connection on other types; their selection tells)."""

WITHOUT_ID = frozenset(
    """
    appDiscountTypesNodes articleAuthors attributes automaticDiscounts billingCycles bundleComponents
    collectionPublicationsV3 combinedListingChildren concatenatedBillingCycles countryHarmonizedSystemCodes
    currencySettings customerTags deletionEvents discountAllocations discountApplications discountsAdded
    discountsRemoved discountsUpdated draftOrderTags localizationExtensions localizedFields
    locationGroupZones locationsForMove mandates marketLocalizableResources marketLocalizableResourcesByIds
    mobilePlatformApplications moments nestedTranslatableResources orderTags presentmentPrices prices
    productComponents productPublications productPublicationsV3 productTags productTypes productVendors
    productsAddedToCart productsViewed quantityRules referencedBy references resourcePublications
    resourcePublicationsV2 returnableFulfillmentLineItems scheduledChanges search segmentFilterSuggestions
    segmentFilters segmentValueSuggestions shopPayPaymentRequestReceipts stagedChanges
    subscriptionBillingCycleBulkResults subscriptionBillingCycles translatableResources
    translatableResourcesByIds
    """.split()  # noqa: SIM905 - a column of quoted names is harder to read
)
"""Connections none of whose nodes has an `id` (or whose nodes are a union, which has no field of its own)."""
